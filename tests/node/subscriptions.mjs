// Subscribes as other people's front ends do, prints what comes as lines of JSON, and ends with the stream or the count.
// Arguments: the client's name, the server's authority, then JSON of query, variables, headers and count.

import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";

const [client, authority, asked] = process.argv.slice(2);
const { query, variables, headers, count } = JSON.parse(asked);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const clients = {
  "graphql-ws": () => iterated(createWsClient({
    url: `ws://${authority}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: headers,
    lazy: true,
    retryAttempts: 0,
    on: { closed: ({ code, reason }) => say({ closed: [code, reason] }) },
  })),
  "graphql-sse": () => iterated(createSseClient({ url: `http://${authority}/graphql`, headers, retryAttempts: 0 })),
  apollo: () => new Promise((resolve, reject) => {
    const apollo = new ApolloClient({
      cache: new InMemoryCache(),
      link: new HttpLink({ uri: `http://${authority}/graphql`, headers }),
    });
    let seen = 0;
    const subscription = apollo.subscribe({ query: gql(query), variables, errorPolicy: "all" }).subscribe({
      next: ({ data, error }) => {
        say(error ? { errors: error.errors ?? String(error) } : { data });
        seen += 1;
        if (seen === count) {
          subscription.unsubscribe();
          resolve();
        }
      },
      error: reject,
      complete: resolve,
    });
  }),
};

async function iterated(made) {
  try {
    let seen = 0;
    for await (const result of made.iterate({ query, variables })) {
      say(result);
      seen += 1;
      if (seen === count) break;
    }
  } catch (error) {
    say({ thrown: Array.isArray(error) ? error : { code: error.code, reason: error.reason } });
  }
  await made.dispose();
}

await clients[client]();
