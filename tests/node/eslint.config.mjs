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
  // The places of content in other content are types of their own, beside the content itself (`items`, `scales`).
  'Field "assessmentItems" starts with the name of the parent type "Assessment"': true,
  'Field "assessmentScales" starts with the name of the parent type "Assessment"': true,
  'Field "assessmentDomains" starts with the name of the parent type "Assessment"': true,
  'Field "itemScales" starts with the name of the parent type "Item"': true,
  'Field "domainScales" starts with the name of the parent type "Domain"': true,
  // Gloo's names; `type` alone would be a word of JSON Schema and of many generated clients.
  'Field "itemType" starts with the name of the parent type "Item"': true,
  'Field "scaleType" starts with the name of the parent type "Scale"': true,
  'Field "itemResponseCount" starts with the name of the parent type "Item"': true,
};
