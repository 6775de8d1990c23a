"""The kit: how any row type is exposed as GraphQL. Knows no domain."""
