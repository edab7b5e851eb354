"""One script per version of the schema. A script that has been released is never changed."""
