"""What PowerShell checks of a complete tree before it runs a script: the errors of its SemanticChecks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from winlab.powershell import ast
from winlab.powershell.tokens import Extent, TokenKind

if TYPE_CHECKING:
    from winlab.powershell.parser import Parser

K = TokenKind

_ASSIGNABLE = (
    ast.VariableExpressionAst,
    ast.MemberExpressionAst,
    ast.IndexExpressionAst,
    ast.AttributedExpressionAst,
    ast.ArrayLiteralAst,
    ast.ParenExpressionAst,
)
_INCREMENTS = {
    K.PlusPlus: "++",
    K.MinusMinus: "--",
    K.PostfixPlusPlus: "++",
    K.PostfixMinusMinus: "--",
}
_BASE_EXCEPTIONS = ("exception", "system.exception")


def check(tree: ast.ScriptBlockAst, parser: Parser) -> None:
    """Set every node's parent and report what is wrong with the tree to the parser."""
    checks = _CHECKS
    todo: list[ast.Ast] = [tree]
    checker = _Checker(parser)
    while todo:
        node = todo.pop()
        rule = checks.get(type(node))
        children = list(node.children())
        for child in children:
            child.parent = node
        if rule is not None:
            rule(checker, node)
        children.reverse()
        todo.extend(children)
    for late in checker.late:
        late()


def type_text(type_name: ast.ITypeName) -> str:
    """A type's name for comparison: in lower case, without `System.` where that is all of its namespace."""
    text = type_name.name.lower()
    return text[7:] if text.startswith("system.") and "." not in text[7:] else text


class _Checker:
    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.late: list[Callable[[], None]] = []  # checks that need the parents below the node as well

    def report(self, extent: Extent, error_id: str, *arguments: str) -> None:
        self.parser.report(extent.start_offset, extent.end_offset, error_id, *arguments)

    # --- functions and parameters -------------------------------------------------------------------------------------

    def parameters(self, parameters: list[ast.ParameterAst]) -> None:
        seen: set[str] = set()
        for parameter in parameters:
            name = parameter.name.variable_path.user_path
            if name.lower() in seen:
                self.report(parameter.name.extent, "DuplicateFormalParameter", name)
            seen.add(name.lower())
            for attribute in parameter.attributes:
                if isinstance(attribute, ast.TypeConstraintAst) and type_text(attribute.type_name) == "void":
                    self.report(attribute.extent, "VoidTypeConstraintNotAllowed")
                    break

    def param_block(self, node: ast.ParamBlockAst) -> None:
        self.parameters(node.parameters)

    def function(self, node: ast.FunctionDefinitionAst) -> None:
        if node.parameters is None:
            return
        if node.body.param_block is not None:
            self.report(node.body.param_block.extent, "OnlyOneParameterListAllowed")
        else:
            self.parameters(node.parameters)

    def parameter(self, node: ast.ParameterAst) -> None:
        function = node.parent
        is_method = isinstance(function, ast.FunctionDefinitionAst) and isinstance(
            function.parent, ast.FunctionMemberAst
        )
        typed = False
        for attribute in node.attributes:
            if not isinstance(attribute, ast.TypeConstraintAst):
                continue
            if attribute.type_name.full_name.lower() == "ordered":
                name = attribute.type_name.full_name
                self.report(attribute.extent, "OrderedAttributeOnlyOnHashLiteralNode", name)
            elif is_method and typed:
                self.report(attribute.extent, "MultipleTypeConstraintsOnMethodParam")
            else:
                typed = True

    def attribute(self, node: ast.AttributeAst) -> None:
        in_class = isinstance(node.parent, (ast.TypeDefinitionAst, ast.MemberAst))
        error_id = "ParameterAttributeArgumentNeedsToBeConstant"
        if not in_class:
            error_id += "OrScriptBlock"
        seen: set[str] = set()
        for named in node.named_arguments:
            name = named.argument_name
            if name.lower() in seen:
                self.report(named.extent, "DuplicateNamedArgument", name)
                continue
            seen.add(name.lower())
            if not named.expression_omitted and not is_constant(named.argument, not in_class):
                self.report(named.argument.extent, error_id)
        for argument in node.positional_arguments:
            if not is_constant(argument, not in_class):
                self.report(argument.extent, error_id)

    def attributed_expression(self, node: ast.AttributedExpressionAst) -> None:
        child: ast.ExpressionAst | None = node
        while isinstance(child, ast.AttributedExpressionAst):
            child = child.child
            if isinstance(child, ast.VariableExpressionAst):
                return
        self.report(node.attribute.extent, "UnexpectedAttribute", _attribute_name(node.attribute))

    # --- statements ---------------------------------------------------------------------------------------------------

    def switch(self, node: ast.SwitchStatementAst) -> None:
        if node.flags & ast.SwitchFlags.Parallel and not _in_workflow(node):
            self.report(node.extent, "KeywordParameterReservedForFutureUse", "switch", "parallel")

    def foreach(self, node: ast.ForEachStatementAst) -> None:
        parallel = bool(node.flags & ast.ForEachFlags.Parallel)
        if parallel and not _in_workflow(node):
            self.report(node.extent, "KeywordParameterReservedForFutureUse", "foreach", "parallel")
        if node.throttle_limit is not None and not parallel:
            self.report(node.extent, "ThrottleLimitRequiresParallelFlag")

    def block_statement(self, node: ast.BlockStatementAst) -> None:
        if not _in_workflow(node):
            start = node.extent.start_offset
            self.parser.report(start, start + len(node.kind.value), "UnexpectedKeyword", node.kind.value)

    def try_statement(self, node: ast.TryStatementAst) -> None:
        clauses = node.catch_clauses
        for index, first in enumerate(clauses):
            for second in clauses[index + 1 :]:
                if first.is_catch_all:
                    before = max(second.extent.start_offset - 1, 0)
                    self.parser.report(before, before, "EmptyCatchNotLast")
                    break
                for caught in first.catch_types:
                    for later in second.catch_types:
                        if _covers(caught.type_name, later.type_name):
                            self.report(later.extent, "ExceptionTypeAlreadyCaught", _full_type_name(later.type_name))

    def flow_with_label(self, node: ast.BreakStatementAst | ast.ContinueStatementAst) -> None:
        label: str | None = ""
        if node.label is not None:
            label = node.label.value if isinstance(node.label, ast.StringConstantExpressionAst) else None
        self.late.append(lambda: self.flow_out_of_finally(node, label))
        if label:
            self.late.append(lambda: self.label_exists(node, str(label)))

    def return_statement(self, node: ast.ReturnStatementAst) -> None:
        self.flow_out_of_finally(node, None)
        method = _method_of(node)
        if method is None:
            return
        is_void = _returns_void(method)
        if node.pipeline is not None and is_void:
            self.report(node.extent, "VoidMethodHasReturn")
        elif node.pipeline is None and not is_void:
            self.report(node.extent, "NonVoidMethodMissingReturnValue")

    def flow_out_of_finally(self, node: ast.Ast, label: str | None) -> None:
        child: ast.Ast = node
        parent = node.parent
        while parent is not None:
            if isinstance(parent, (ast.NamedBlockAst, ast.TrapStatementAst, ast.ScriptBlockAst)):
                return
            if (
                label is not None
                and isinstance(parent, ast.LabeledStatementAst)
                and (label == "" or label.lower() == (parent.label or "").lower())
            ):
                return
            if isinstance(parent, ast.TryStatementAst) and parent.finally_ is child:
                self.report(node.extent, "ControlLeavingFinally")
                return
            child, parent = parent, parent.parent

    def label_exists(self, node: ast.Ast, label: str) -> None:
        parent = node.parent
        while parent is not None:
            if isinstance(parent, ast.FunctionDefinitionAst):
                if isinstance(parent.parent, ast.FunctionMemberAst):
                    self.report(node.extent, "LabelNotFound", label)
                return
            if isinstance(parent, ast.LoopStatementAst) and (parent.label or "").lower() == label.lower():
                return
            parent = parent.parent

    def data_statement(self, node: ast.DataStatementAst) -> None:
        constant = all(isinstance(c, ast.StringConstantExpressionAst) for c in node.commands_allowed)
        allowed: set[str] | None = None
        if constant:
            allowed = {str(getattr(c, "value", "")).lower() for c in node.commands_allowed} | {"convertfrom-stringdata"}
        self.late.append(lambda: _RestrictedLanguage(self, allowed).check(node.body))

    def using_statement(self, node: ast.UsingStatementAst) -> None:
        kinds = ast.UsingStatementKind
        supported = node.using_statement_kind in (kinds.Namespace, kinds.Assembly, kinds.Module)
        if not supported or node.alias is not None:
            self.report(node.extent, "UsingStatementNotSupported")

    def configuration(self, node: ast.ConfigurationDefinitionAst) -> None:
        body = node.body.script_block
        for block in (body.begin_block, body.process_block, body.dynamic_param_block):
            if block is not None:
                self.report(block.extent, "UnsupportedNamedBlockInConfiguration")

    # --- assignment ---------------------------------------------------------------------------------------------------

    def assignment(self, node: ast.AssignmentStatementAst) -> None:
        self.assignment_target(node.left, node.operator is K.Equals, "InvalidLeftHandSide")

    def unary(self, node: ast.UnaryExpressionAst) -> None:
        operator = _INCREMENTS.get(node.token_kind)
        if operator is not None:
            self.assignment_target(node.child, False, "OperatorRequiresVariableOrProperty", operator)

    def assignment_target(self, target: ast.ExpressionAst, simple: bool, error_id: str, *arguments: str) -> None:
        if isinstance(target, ast.ArrayLiteralAst):
            if not simple:
                self.report(target.extent, error_id, *arguments)
            else:
                for element in target.elements:
                    self.assignment_target(element, True, error_id, *arguments)
        elif isinstance(target, ast.ParenExpressionAst):
            pipeline = target.pipeline
            expression = pipeline.get_pure_expression() if isinstance(pipeline, ast.PipelineAst) else None
            if expression is None:
                self.report(pipeline.extent, error_id, *arguments)
            else:
                self.assignment_target(expression, simple, error_id, *arguments)
        elif not isinstance(target, _ASSIGNABLE) or isinstance(target, ast.InvokeMemberExpressionAst):
            self.report(target.extent, error_id, *arguments)
        elif isinstance(target, ast.AttributedExpressionAst):
            self.attributed_target(target, simple, error_id, *arguments)

    def attributed_target(
        self, target: ast.AttributedExpressionAst, simple: bool, error_id: str, *arguments: str
    ) -> None:
        expression: ast.ExpressionAst = target
        conversions = 0
        reference: Extent | None = None
        while isinstance(expression, ast.AttributedExpressionAst):
            if isinstance(expression, ast.ConvertExpressionAst):
                conversions += 1
                name = type_text(expression.type.type_name)
                if name == "ref":
                    reference = expression.type.extent
                elif name == "void":
                    self.report(expression.type.extent, "VoidTypeConstraintNotAllowed")
            expression = expression.child
        if reference is not None and conversions > 1:
            self.report(reference, "ReferenceNeedsToBeByItselfInTypeConstraint")
        else:
            self.assignment_target(expression, simple, error_id, *arguments)

    # --- expressions --------------------------------------------------------------------------------------------------

    def convert(self, node: ast.ConvertExpressionAst) -> None:
        name = node.type.type_name.full_name
        if name.lower() == "ordered":
            if not isinstance(node.child, ast.HashtableAst):
                self.report(node.extent, "OrderedAttributeOnlyOnHashLiteralNode", name)
        elif type_text(node.type.type_name) == "ref":
            self.reference(node)

    def reference(self, node: ast.ConvertExpressionAst) -> None:
        child = node.child
        several = False
        while isinstance(child, ast.AttributedExpressionAst):
            if isinstance(child, ast.ConvertExpressionAst) and type_text(child.type.type_name) == "ref":
                several = True
                self.report(child.type.extent, "ReferenceNeedsToBeByItselfInTypeSequence")
            child = child.child
        parent = node.parent
        if several or not isinstance(parent, ast.ConvertExpressionAst) or type_text(parent.type.type_name) == "ref":
            return
        inner: ast.Ast = parent
        outer = parent.parent
        while outer is not None and not isinstance(outer, ast.CommandExpressionAst):
            if isinstance(outer, ast.AssignmentStatementAst):
                if outer.left is inner:
                    return
                break
            inner, outer = outer, outer.parent
        self.report(node.type.extent, "ReferenceNeedsToBeLastTypeInTypeConversion")

    def using_expression(self, node: ast.UsingExpressionAst) -> None:
        expression = node.sub_expression
        while not isinstance(expression, ast.VariableExpressionAst):
            if (
                isinstance(expression, ast.MemberExpressionAst)
                and not isinstance(expression, ast.InvokeMemberExpressionAst)
                and isinstance(expression.member, ast.StringConstantExpressionAst)
            ):
                expression = expression.expression
            elif isinstance(expression, ast.IndexExpressionAst):
                if not is_constant(expression.index, True):
                    self.report(expression.index.extent, "InvalidUsingExpression")
                    return
                expression = expression.target
            else:
                self.report(expression.extent, "InvalidUsingExpression")
                return

    def variable(self, node: ast.VariableExpressionAst) -> None:
        parent = node.parent
        name = node.variable_path.user_path
        if node.splatted and not isinstance(parent, (ast.CommandAst, ast.UsingExpressionAst)):
            if isinstance(parent, ast.ArrayLiteralAst) and isinstance(parent.parent, ast.CommandAst):
                self.report(node.extent, "SplattingNotPermittedInArgumentList", name)
            else:
                self.report(node.extent, "SplattingNotPermitted", name)
        if name.lower() == "this":
            member = _member_of(node)
            if member is not None and member.is_static:
                self.report(node.extent, "NonStaticMemberAccessInStaticMember", name)

    def hashtable(self, node: ast.HashtableAst) -> None:
        seen: set[str] = set()
        for key, _ in node.key_value_pairs:
            if isinstance(key, ast.ConstantExpressionAst):
                text = str(key.value)
                if text.lower() in seen:
                    self.report(key.extent, "DuplicateKeyInHashLiteral", text)
                seen.add(text.lower())

    # --- classes ------------------------------------------------------------------------------------------------------

    def property_member(self, node: ast.PropertyMemberAst) -> None:
        if node.property_type is not None and type_text(node.property_type.type_name) == "void":
            name = node.property_type.type_name.full_name
            self.report(node.property_type.extent, "TypeNotAllowedForProperty", name)

    def type_definition(self, node: ast.TypeDefinitionAst) -> None:
        seen: set[str] = set()
        for member in node.members:
            if isinstance(member, ast.PropertyMemberAst):
                if member.name.lower() in seen:
                    self.report(member.extent, "MemberAlreadyDefined", member.name)
                seen.add(member.name.lower())

    def function_member(self, node: ast.FunctionMemberAst) -> None:
        body = node.body
        if body.param_block is not None:
            self.report(body.param_block.extent, "ParamBlockNotAllowedInMethod")
        named = [b for b in (body.dynamic_param_block, body.begin_block, body.process_block) if b is not None]
        if body.end_block is not None and not body.end_block.unnamed:
            named.append(body.end_block)
        if named:
            self.report(named[0].extent, "NamedBlockNotAllowedInMethod")
        if node.is_constructor and node.return_type is not None:
            self.report(node.return_type.extent, "ConstructorCantHaveReturnType")
        if body.end_block is not None and not _returns_void(node) and not _always_leaves(body.end_block.statements):
            start = node.function_definition.extent.start_offset
            self.parser.report(start, start + len(node.name), "MethodHasCodePathNotReturn")


def is_constant(node: ast.Ast, allow_script_blocks: bool) -> bool:
    """Whether an attribute's argument can be told without running anything."""
    if isinstance(node, (ast.ConstantExpressionAst, ast.TypeExpressionAst)):
        return True
    if isinstance(node, ast.ScriptBlockExpressionAst):
        return allow_script_blocks
    if isinstance(node, ast.VariableExpressionAst):
        return node.variable_path.user_path.lower() in ("true", "false", "null")
    if isinstance(node, ast.ArrayLiteralAst):
        return all(is_constant(element, allow_script_blocks) for element in node.elements)
    if isinstance(node, ast.ParenExpressionAst):
        pipeline = node.pipeline
        expression = pipeline.get_pure_expression() if isinstance(pipeline, ast.PipelineAst) else None
        return expression is not None and is_constant(expression, allow_script_blocks)
    if isinstance(node, ast.UnaryExpressionAst):
        return node.token_kind not in _INCREMENTS and is_constant(node.child, allow_script_blocks)
    if isinstance(node, ast.BinaryExpressionAst):
        return is_constant(node.left, allow_script_blocks) and is_constant(node.right, allow_script_blocks)
    if isinstance(node, ast.ConvertExpressionAst):
        return is_constant(node.child, allow_script_blocks)
    if isinstance(node, (ast.SubExpressionAst, ast.ArrayExpressionAst)):
        body = node.sub_expression
        return not body.traps and all(_constant_statement(s, allow_script_blocks) for s in body.statements)
    if isinstance(node, ast.HashtableAst):
        return all(
            is_constant(key, allow_script_blocks) and _constant_statement(value, allow_script_blocks)
            for key, value in node.key_value_pairs
        )
    if isinstance(node, ast.MemberExpressionAst) and not isinstance(node, ast.InvokeMemberExpressionAst):
        return node.static and isinstance(node.expression, ast.TypeExpressionAst)  # an enumeration's member
    return False


def _constant_statement(statement: ast.StatementAst, allow_script_blocks: bool) -> bool:
    if not isinstance(statement, ast.PipelineAst):
        return False
    expression = statement.get_pure_expression()
    return expression is not None and is_constant(expression, allow_script_blocks)


def _attribute_name(attribute: ast.AttributeBaseAst) -> str:
    assert isinstance(attribute, (ast.AttributeAst, ast.TypeConstraintAst))
    return attribute.type_name.full_name


def _ancestors(node: ast.Ast) -> Iterator[ast.Ast]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def _in_workflow(node: ast.Ast) -> bool:
    return any(isinstance(a, ast.FunctionDefinitionAst) and a.is_workflow for a in _ancestors(node))


def _member_of(node: ast.Ast) -> ast.FunctionMemberAst | ast.PropertyMemberAst | None:
    """The class member whose code the node is, not looking out of script blocks and functions inside it."""
    for parent in _ancestors(node):
        if isinstance(parent, (ast.FunctionMemberAst, ast.PropertyMemberAst)):
            return parent
        if isinstance(parent, ast.ScriptBlockExpressionAst):
            return None
        if isinstance(parent, ast.FunctionDefinitionAst) and not isinstance(parent.parent, ast.FunctionMemberAst):
            return None
    return None


def _method_of(node: ast.Ast) -> ast.FunctionMemberAst | None:
    member = _member_of(node)
    return member if isinstance(member, ast.FunctionMemberAst) else None


def _returns_void(method: ast.FunctionMemberAst) -> bool:
    if method.is_constructor or method.return_type is None:
        return True
    return type_text(method.return_type.type_name) == "void"


def _always_leaves(statements: list[ast.StatementAst]) -> bool:
    """Whether running the statements always ends in return, throw or exit."""
    return any(_leaves(statement) for statement in statements)


def _leaves(statement: ast.StatementAst) -> bool:
    if isinstance(statement, (ast.ReturnStatementAst, ast.ThrowStatementAst, ast.ExitStatementAst)):
        return True
    if isinstance(statement, ast.IfStatementAst):
        return (
            statement.else_clause is not None
            and _always_leaves(statement.else_clause.statements)
            and all(_always_leaves(body.statements) for _, body in statement.clauses)
        )
    if isinstance(statement, ast.SwitchStatementAst):
        return (
            statement.default is not None
            and _always_leaves(statement.default.statements)
            and all(_always_leaves(body.statements) for _, body in statement.clauses)
        )
    if isinstance(statement, ast.TryStatementAst):
        if statement.finally_ is not None and _always_leaves(statement.finally_.statements):
            return True
        return _always_leaves(statement.body.statements) and all(
            _always_leaves(c.body.statements) for c in statement.catch_clauses
        )
    if isinstance(statement, (ast.DoWhileStatementAst, ast.DoUntilStatementAst)):
        return _always_leaves(statement.body.statements)
    if isinstance(statement, ast.WhileStatementAst):
        pipeline = statement.condition
        expression = pipeline.get_pure_expression() if isinstance(pipeline, ast.PipelineAst) else None
        forever = isinstance(expression, ast.VariableExpressionAst) and (
            expression.variable_path.user_path.lower() == "true"
        )
        return forever and not any(isinstance(n, ast.BreakStatementAst) for n in statement.body.find_all(_anything))
    return False


def _anything(node: ast.Ast) -> bool:
    return True


# --- exceptions caught before ---------------------------------------------------------------------------------------------


def _full_type_name(type_name: ast.ITypeName) -> str:
    resolved = _resolve(type_name)
    return type_name.full_name if resolved is None else str(getattr(resolved, "full_name", type_name.full_name))


def _resolve(type_name: ast.ITypeName) -> object | None:
    """The type, where the .NET room knows it."""
    try:
        from winlab.powershell.dotnet.core import find_type
    except ImportError:
        return None
    try:
        found: object | None = find_type(type_name.full_name)
    except Exception:  # an unknown name is no error here: PowerShell skips the check as well
        return None
    return found


def _covers(caught: ast.ITypeName, later: ast.ITypeName) -> bool:
    """Whether a catch of the first type leaves nothing to a later catch of the second."""
    first, second = type_text(caught), type_text(later)
    if first == second:
        return True
    first_type, second_type = _resolve(caught), _resolve(later)
    if first_type is None or second_type is None:
        return False
    if first_type is second_type:
        return True
    derives = getattr(second_type, "is_subclass_of", None)
    return bool(derives is not None and derives(first_type))


# --- data sections ----------------------------------------------------------------------------------------------------------


_RESTRICTED_TYPES = (
    "array bool byte char datetime decimal double float guid hashtable int int16 int32 int64 long psobject pscustomobject "
    "regex sbyte single string timespan uint16 uint32 uint64 uri version void xml"
)


class _RestrictedLanguage:
    """The language of `data` sections: constants, a few operators, if, and the commands allowed."""

    _VARIABLES = ("PSCulture", "PSUICulture", "true", "false", "null")
    _TYPES = frozenset(_RESTRICTED_TYPES.split())
    _OPERATORS = frozenset(
        (
            K.Plus,
            K.Minus,
            K.Multiply,
            K.Divide,
            K.Rem,
            K.Comma,
            K.And,
            K.Or,
            K.Xor,
            K.Not,
            K.Exclaim,
            K.Band,
            K.Bor,
            K.Bxor,
            K.Bnot,
            K.DotDot,
            K.Ieq,
            K.Ine,
            K.Igt,
            K.Ige,
            K.Ilt,
            K.Ile,
            K.Ceq,
            K.Cne,
            K.Cgt,
            K.Cge,
            K.Clt,
            K.Cle,
            K.Ilike,
            K.Inotlike,
            K.Clike,
            K.Cnotlike,
            K.Icontains,
            K.Inotcontains,
            K.Iin,
            K.Inotin,
            K.Shl,
            K.Shr,
            K.Is,
            K.IsNot,
            K.As,
        )
    )
    _STATEMENTS: tuple[tuple[type[ast.Ast] | tuple[type[ast.Ast], ...], str], ...] = (
        (ast.AssignmentStatementAst, "AssignmentStatementNotSupportedInDataSection"),
        (ast.DataStatementAst, "DataSectionStatementNotSupportedInDataSection"),
        (
            (ast.DoWhileStatementAst, ast.DoUntilStatementAst),
            "DoWhileStatementNotSupportedInDataSection",
        ),
        (ast.ForEachStatementAst, "ForeachStatementNotSupportedInDataSection"),
        ((ast.ForStatementAst, ast.WhileStatementAst), "ForWhileStatementNotSupportedInDataSection"),
        (ast.FunctionDefinitionAst, "FunctionDeclarationNotSupportedInDataSection"),
        (ast.SwitchStatementAst, "SwitchStatementNotSupportedInDataSection"),
        (ast.TryStatementAst, "TryStatementNotSupportedInDataSection"),
        (ast.TrapStatementAst, "TrapStatementNotSupportedInDataSection"),
        (
            (
                ast.BreakStatementAst,
                ast.ContinueStatementAst,
                ast.ReturnStatementAst,
                ast.ExitStatementAst,
                ast.ThrowStatementAst,
            ),
            "FlowControlStatementNotSupportedInDataSection",
        ),
        ((ast.FileRedirectionAst, ast.MergingRedirectionAst), "RedirectionNotSupportedInDataSection"),
        (ast.InvokeMemberExpressionAst, "MethodCallNotSupportedInDataSection"),
        (ast.MemberExpressionAst, "PropertyReferenceNotSupportedInDataSection"),
        (ast.IndexExpressionAst, "ArrayReferenceNotSupportedInDataSection"),
        (ast.ExpandableStringExpressionAst, "ExpandableStringNotSupportedInDataSection"),
        (ast.ScriptBlockExpressionAst, "ScriptBlockNotSupportedInDataSection"),
        (ast.ParamBlockAst, "ParameterDeclarationNotSupportedInDataSection"),
    )

    def __init__(self, checker: _Checker, allowed: set[str] | None) -> None:
        self.checker = checker
        self.allowed = allowed

    def check(self, body: ast.StatementBlockAst) -> None:
        for node in body.find_all(_anything):
            self.visit(node)

    def visit(self, node: ast.Ast) -> None:
        report = self.checker.report
        for kinds, error_id in self._STATEMENTS:
            if isinstance(node, kinds):
                report(node.extent, error_id)
                return
        if isinstance(node, ast.CommandAst):
            self.command(node)
        elif isinstance(node, ast.VariableExpressionAst):
            if node.variable_path.user_path.lower() not in {name.lower() for name in self._VARIABLES}:
                names = ", ".join(f"${name}" for name in self._VARIABLES)
                report(node.extent, "VariableReferenceNotSupportedInDataSection", names)
        elif isinstance(node, (ast.TypeExpressionAst, ast.TypeConstraintAst)):
            if not self.type_allowed(node.type_name):
                report(node.extent, "TypeNotAllowedInDataSection", node.type_name.full_name)
        elif isinstance(node, ast.BinaryExpressionAst):
            if node.operator not in self._OPERATORS:
                report(node.error_position, "OperatorNotSupportedInDataSection", node.operator.value)
        elif isinstance(node, ast.UnaryExpressionAst) and node.token_kind not in self._OPERATORS:
            report(node.extent, "OperatorNotSupportedInDataSection", node.token_kind.value)

    def type_allowed(self, type_name: ast.ITypeName) -> bool:
        element = type_name
        while isinstance(element, ast.ArrayTypeName):
            element = element.element_type
        return isinstance(element, ast.TypeName) and type_text(element) in self._TYPES

    def command(self, node: ast.CommandAst) -> None:
        if node.invocation_operator is K.Dot:
            self.checker.report(node.extent, "DotSourcingNotSupportedInDataSection")
        elif self.allowed is not None:
            name = node.get_command_name()
            if name is None or name.lower() not in self.allowed:
                self.checker.report(node.extent, "CmdletNotInAllowedListForDataSection", name or "")


_CHECKS: dict[type[ast.Ast], Callable[[_Checker, Any], None]] = {
    ast.ParamBlockAst: _Checker.param_block,
    ast.FunctionDefinitionAst: _Checker.function,
    ast.ParameterAst: _Checker.parameter,
    ast.AttributeAst: _Checker.attribute,
    ast.AttributedExpressionAst: _Checker.attributed_expression,
    ast.SwitchStatementAst: _Checker.switch,
    ast.ForEachStatementAst: _Checker.foreach,
    ast.BlockStatementAst: _Checker.block_statement,
    ast.TryStatementAst: _Checker.try_statement,
    ast.BreakStatementAst: _Checker.flow_with_label,
    ast.ContinueStatementAst: _Checker.flow_with_label,
    ast.ReturnStatementAst: _Checker.return_statement,
    ast.DataStatementAst: _Checker.data_statement,
    ast.UsingStatementAst: _Checker.using_statement,
    ast.ConfigurationDefinitionAst: _Checker.configuration,
    ast.AssignmentStatementAst: _Checker.assignment,
    ast.UnaryExpressionAst: _Checker.unary,
    ast.ConvertExpressionAst: _Checker.convert,
    ast.UsingExpressionAst: _Checker.using_expression,
    ast.VariableExpressionAst: _Checker.variable,
    ast.HashtableAst: _Checker.hashtable,
    ast.PropertyMemberAst: _Checker.property_member,
    ast.TypeDefinitionAst: _Checker.type_definition,
    ast.FunctionMemberAst: _Checker.function_member,
}
