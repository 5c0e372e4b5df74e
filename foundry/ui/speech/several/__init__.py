"""Several recordings at once on the Speech tab: `section` is the row, `table` draws its rows."""
