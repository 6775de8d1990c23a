// Serves our subgraph and a toy one through a gateway, and prints what two cross-subgraph queries answer to each caller.
// Arguments: apollo or hive, our endpoint, the toy's vouchers and the callers' headers as JSON.
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginInlineTrace } from "@apollo/server/plugin/inlineTrace";
import { startStandaloneServer } from "@apollo/server/standalone";
import protobuf from "@apollo/usage-reporting-protobuf";
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
    plugins: [ApolloServerPluginInlineTrace()],
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

// What the trace in the gateway's answer says of each subgraph: the fields it timed, and whether their times make sense.
function fetches({ fetch, sequence, parallel, flatten }) {
  if (fetch) {
    const { serviceName, traceParsingFailed, trace } = fetch;
    const timed = trace ? fields(trace.root) : [];
    return [{ serviceName, traceParsingFailed, ...(serviceName === "caregraph" ? { timed } : {}) }];
  }
  return (sequence?.nodes ?? parallel?.nodes ?? (flatten?.node ? [flatten.node] : [])).flatMap(fetches);
}

function fields({ responseName, parentType, startTime, endTime, child, error }) {
  const own = responseName ? [{ field: `${parentType}.${responseName}`, errors: error.map(({ message }) => message) }] : [];
  if (own.length && parentType && !(Number(endTime) >= Number(startTime))) throw new Error("ends before it starts");
  return [...own, ...child.flatMap(fields)];
}

function readable(answer) {
  const encoded = answer.extensions?.ftv1;
  if (!encoded) return answer;
  const trace = protobuf.Trace.decode(Buffer.from(encoded, "base64"));
  return { ...answer, extensions: { ...answer.extensions, ftv1: fetches(trace.queryPlan) } };
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
    answers.push(readable(await response.json()));
  }
}
await gateway.stop();
await toy.stop();
console.log(JSON.stringify(answers));
process.exit(0);
