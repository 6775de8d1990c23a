// A subgraph beside ours: it adds a field to Client, and a type that refers to one. It keeps no copy of a client.
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginInlineTrace } from "@apollo/server/plugin/inlineTrace";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";

export const TOY_SDL = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@external", "@key", "@requires", "@shareable"])

interface Node { id: ID! }

type Client implements Node @key(fields: "id") {
  id: ID!
  fullName: String! @external
  vouchers: VoucherConnection!
  salutation: String! @requires(fields: "fullName")
}

type Voucher implements Node @key(fields: "id") {
  id: ID!
  code: String!
  client: Client
}

type VoucherConnection {
  nodes: [Voucher!]!
  pageInfo: PageInfo!
}

type PageInfo @shareable {
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: String
  endCursor: String
}

type Query {
  vouchers: [Voucher!]!
  node(id: ID!): Node @shareable
}
`;

export async function startToy(vouchers) {
  const refer = (voucher) => ({ ...voucher, client: { __typename: "Client", id: voucher.clientId } });
  const found = (clientId) => vouchers.filter((one) => one.clientId === clientId).map(refer);
  const pageInfo = { hasNextPage: false, hasPreviousPage: false };
  const schema = buildSubgraphSchema({
    typeDefs: parse(TOY_SDL),
    resolvers: {
      Node: { __resolveType: () => "Voucher" },
      Client: {
        vouchers: ({ id }) => ({ nodes: found(id), pageInfo }),
        salutation: ({ fullName }) => `Dear ${fullName}`,
      },
      Voucher: { __resolveReference: ({ id }) => vouchers.filter((one) => one.id === id).map(refer)[0] },
      Query: { vouchers: () => vouchers.map(refer), node: () => null },
    },
  });
  const server = new ApolloServer({ schema, plugins: [ApolloServerPluginInlineTrace()] });
  const { url } = await startStandaloneServer(server, { listen: { host: "127.0.0.1", port: 0 } });
  return { url, sdl: TOY_SDL, stop: () => server.stop() };
}
