"""What marking gives to read: minutes on paper, and what the pages and the export of the item analysis show."""
