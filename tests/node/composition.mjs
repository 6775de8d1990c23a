// Composes subgraphs, and prints what two composers make of ours beside the toy.
// Arguments: our endpoint.
import { composeServices as composeByApollo } from "@apollo/composition";
import { composeServices as composeByGuild } from "@theguild/federation-composition";
import { buildSchema, parse } from "graphql";
import { pathToFileURL } from "node:url";

import { TOY_SDL } from "./toy.mjs";

export async function fetchSubgraph(endpoint) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: "{ _service { sdl } }" }),
  });
  return (await response.json()).data._service.sdl;
}

export function compose(subgraphs, composeServices = composeByApollo) {
  return composeServices(subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const endpoint = process.argv[2];
  const subgraphs = [
    { name: "caregraph", url: endpoint, sdl: await fetchSubgraph(endpoint) },
    { name: "toy", url: "http://toy.example/graphql", sdl: TOY_SDL },
  ];
  const answers = {};
  for (const [name, composeServices] of Object.entries({ apollo: composeByApollo, guild: composeByGuild })) {
    const { errors, hints, supergraphSdl, publicSdl, schema } = compose(subgraphs, composeServices);
    const api = publicSdl ? buildSchema(publicSdl) : schema?.toAPISchema().toGraphQLJSSchema();
    answers[name] = {
      errors: (errors ?? []).map((error) => error.message),
      hints: (hints ?? []).map((hint) => hint.message),
      roots: Object.keys(api?.getQueryType()?.getFields() ?? {}).sort(),
      client: Object.keys(api?.getType("Client")?.getFields() ?? {}),
      hides: supergraphSdl?.includes("@inaccessible"),
    };
  }
  console.log(JSON.stringify(answers));
}
