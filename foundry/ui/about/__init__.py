"""The About tab: versions, model cards, licences, glossary, speed on this machine."""
