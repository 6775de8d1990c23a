// Prints what graphql-eslint finds in a schema file beyond what is argued in eslint.config.mjs, and how many rules looked.
import { ESLint } from "eslint";
import { dirname } from "node:path";

import { ACCEPTED, configFor } from "./eslint.config.mjs";

const [schema] = process.argv.slice(2);
const eslint = new ESLint({ cwd: dirname(schema), overrideConfigFile: true, overrideConfig: configFor(schema) });
const results = await eslint.lintFiles([schema]);
const messages = results.flatMap((result) => result.messages);
const { rules } = await eslint.calculateConfigForFile(schema);
console.log(
  JSON.stringify({
    files: results.length,
    rules: Object.keys(rules).filter((name) => rules[name][0] !== 0).map((name) => name.split("/")[1]),
    found: messages
      .filter(({ message }) => !ACCEPTED[message])
      .map(({ ruleId, line, message }) => `${ruleId} ${line}: ${message}`),
    accepted: messages.filter(({ message }) => ACCEPTED[message]).length,
  }),
);
