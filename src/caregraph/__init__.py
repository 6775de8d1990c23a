"""One typed GraphQL server for outcome-informed care."""
