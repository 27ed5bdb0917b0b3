"""What is kept in SQL: opened, migrated, and never half written."""
