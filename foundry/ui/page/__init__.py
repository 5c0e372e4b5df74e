"""What stands around the tabs: theme, languages, links, first steps, glossary, variants."""
