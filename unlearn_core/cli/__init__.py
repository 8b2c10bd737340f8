"""The command line: every file here is a verb, with HELP, `arguments(parser)` and `run(args) -> exit code`.

Files whose name begins with an underscore are pieces that several verbs share. A verb imports what is slow (torch)
only inside its functions, so that `--help` answers at once.
"""
