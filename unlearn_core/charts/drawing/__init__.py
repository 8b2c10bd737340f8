"""Drawing code shared by several charts: figures, colours, wording."""
