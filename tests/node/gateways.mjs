// Serves our subgraph and a toy one through a gateway, and prints what two cross-subgraph queries answer to each caller.
// Arguments: apollo or hive, our endpoint, the toy's vouchers and the callers' headers as JSON.
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { createGatewayRuntime } from "@graphql-hive/gateway";

import { compose, fetchSubgraph } from "./composition.mjs";
import { startToy } from "./toy.mjs";

const FORWARDED = ["x-api-email", "x-api-token"];

const [kind, endpoint, vouchers, callers, queries] = process.argv.slice(2);

async function startApollo(supergraphSdl) {
  class ForwardingDataSource extends RemoteGraphQLDataSource {
    willSendRequest({ request, context }) {
      for (const name of FORWARDED) {
        if (context.headers?.[name]) request.http.headers.set(name, context.headers[name]);
      }
    }
  }
  const server = new ApolloServer({
    gateway: new ApolloGateway({ supergraphSdl, buildService: ({ url }) => new ForwardingDataSource({ url }) }),
  });
  const { url } = await startStandaloneServer(server, {
    listen: { host: "127.0.0.1", port: 0 },
    context: async ({ req }) => ({ headers: req.headers }),
  });
  return {
    stop: () => server.stop(),
    send: (headers, body) =>
      fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body }),
  };
}

async function startHive(supergraph) {
  const runtime = createGatewayRuntime({
    supergraph: () => supergraph,
    logging: false,
    maskedErrors: false,
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) =>
        Object.fromEntries(FORWARDED.map((name) => [name, request.headers.get(name)]).filter(([, value]) => value)),
    },
  });
  return {
    stop: () => runtime[Symbol.asyncDispose](),
    send: (headers, body) =>
      runtime.fetch("http://gateway/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      }),
  };
}

const toy = await startToy(JSON.parse(vouchers));
const { supergraphSdl } = compose([
  { name: "caregraph", url: endpoint, sdl: await fetchSubgraph(endpoint) },
  { name: "toy", url: toy.url, sdl: toy.sdl },
]);
const gateway = await (kind === "apollo" ? startApollo : startHive)(supergraphSdl);
const answers = [];
for (const headers of JSON.parse(callers)) {
  for (const query of JSON.parse(queries)) {
    const response = await gateway.send(headers, JSON.stringify({ query }));
    answers.push(await response.json());
  }
}
await gateway.stop();
await toy.stop();
console.log(JSON.stringify(answers));
process.exit(0);
