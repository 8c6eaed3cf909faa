"""The evaluator: scopes, conversion, operators, binding, pipelines, streams."""
