"""The contracts of plug-ins, as checks that the tests of other projects can call as well."""
