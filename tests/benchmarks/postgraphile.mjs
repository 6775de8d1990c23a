// PostGraphile on the database of the first argument, as its manual sets it up; prints its address when it serves.
// The tags name keys that the tables have no constraint for: without them it would need one more table to get there.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

const tags = {
  client_owners: { tags: { foreignKey: "(user_id) references users (id)|@fieldName user" } },
  raters: {
    tags: { foreignKey: "(organization_id, episode_id) references episodes (organization_id, id)|@foreignFieldName raters" },
  },
};
const service = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [jsonPgSmartTags({ version: 1, config: { class: tags } })],
  pgServices: [makePgService({ connectionString: process.argv[2], schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, websockets: false },
}).createServ(grafserv);
const server = createServer();
await service.addTo(server);
await service.ready?.();
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/graphql`));
