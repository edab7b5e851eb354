"""What people and programs are shown of the database: queries into values. Reads only; looks are the caller's."""
