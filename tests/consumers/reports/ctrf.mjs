// `node ctrf.mjs FILE…`: a line for each CTRF report: what the schema of the format has against it, else what it counts.
import { readFileSync } from "node:fs";
import { validate } from "ctrf";

for (const file of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  const { valid, errors } = validate(report);
  const counted = {};
  for (const { status } of valid ? report.results.tests : []) {
    counted[status] = (counted[status] ?? 0) + 1;
  }
  console.log(JSON.stringify(valid ? counted : { mistakes: errors }));
}
