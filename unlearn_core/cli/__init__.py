"""The command line: each file is one verb, with HELP, `arguments(parser)` and `run(args) -> exit code`.

Files whose names begin with an underscore hold code that several verbs share. A verb imports slow modules (torch)
only inside its functions, so that `--help` prints at once.
"""
