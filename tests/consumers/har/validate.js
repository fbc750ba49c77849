// `node validate.js FILE`: says what is wrong with a HAR, and ends with 1 when anything is.
"use strict";

const fs = require("node:fs");
const validator = require("har-validator");

validator
  .har(JSON.parse(fs.readFileSync(process.argv[2], "utf8")))
  .then((har) => console.log(`valid: ${har.log.entries.length} entries`))
  .catch((error) => {
    for (const { dataPath, message } of error.errors ?? []) {
      console.error(`${dataPath} ${message}`);
    }
    console.error(String(error));
    process.exitCode = 1;
  });
