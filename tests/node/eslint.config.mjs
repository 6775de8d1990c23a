// The lint rules that the schema keeps, and why it does not keep the others.
import graphqlPlugin from "@graphql-eslint/eslint-plugin";

const { configs, parser } = graphqlPlugin;

export const configFor = (schema) => [
  {
    files: ["**/*.graphql"],
    languageOptions: { parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { "@graphql-eslint": graphqlPlugin },
    rules: {
      ...configs["flat/schema-recommended"].rules,
      ...configs["flat/schema-relay"].rules,
      // A connection also has `nodes`, and short bounded lists (the owners of a client) are plain lists: paging them would
      // only cost. The Relay specification asks for edges in connections, not for connections everywhere.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
      // Types with an id are exactly the nodes. A page, a payload, a chart or a statistic is a value: nothing refers to it.
      "@graphql-eslint/strict-id-in-types": "off",
    },
  },
];

// What is found and stays, with its reason.
export const ACCEPTED = {
  // The day of the session, under the name that FIT-Outcomes documents; a `date` beside `createdAt` would be read as either.
  'Field "sessionDate" starts with the name of the parent type "Session"': true,
  // FIT-Outcomes' documented answer to its root call, word for word.
  'Field "helloFrom" starts with the name of the parent type "Hello"': true,
};
