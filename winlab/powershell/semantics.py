"""stub"""



def check(tree, parser):
    from winlab.powershell.parser import set_parents

    set_parents(tree)
