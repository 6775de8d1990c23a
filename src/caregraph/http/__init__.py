"""The HTTP surface: GraphQL requests and answers, the playground, health."""
