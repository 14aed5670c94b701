// Writes lists.json: ids of units, calculations and transformations that both Grafana 9.3 and today's know.
globalThis.navigator ??= { userAgent: '', platform: '', language: 'en', languages: ['en'] };
const fs = require('fs');
const of = (data) => ({
  units: data.getValueFormats().flatMap((category) => category.submenu.map((format) => format.value)),
  reducers: data.fieldReducers.list().map((reducer) => reducer.id),
  transformations: Object.values(data.DataTransformerID),
});
const old = of(require('data-9'));
const now = of(require('@grafana/data'));
const both = Object.fromEntries(Object.keys(old).map((list) => [list, old[list].filter((id) => now[list].includes(id))]));
fs.writeFileSync('lists.json', JSON.stringify(both));
