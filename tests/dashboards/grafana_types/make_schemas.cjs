// Writes schemas.json: JSON Schemas made of Grafana's own TypeScript types, of 9.3 (schema-9) and of today.
const fs = require('fs');
const { createGenerator } = require('ts-json-schema-generator');

const PANELS = {
  timeseries: ['timeseries', 'TimeSeries'],
  stat: ['stat', 'Stat'],
  bargauge: ['bargauge', 'BarGauge'],
  table: ['table', 'Table'],
  'state-timeline': ['statetimeline', 'StateTimeline'],
};
const panelTypes = (folder, name) => `@grafana/schema/dist/esm/raw/composable/${folder}/panelcfg/x/${name}PanelCfg_types.gen`;

// The type `body` (TypeScript that declares Root) as a JSON Schema that allows no property beyond it.
function schema(name, body) {
  const file = `type_${name.replace(/\W/g, '_')}.ts`;
  fs.writeFileSync(file, body);
  const generator = createGenerator({
    path: file, tsconfig: 'tsconfig.json', type: 'Root', skipTypeCheck: true, additionalProperties: false, expose: 'none',
  });
  return generator.createSchema('Root');
}

// Dashboards leave out what has a default.
function optional(node) {
  if (node && typeof node === 'object') {
    if (Array.isArray(node.required)) delete node.required;
    Object.values(node).forEach(optional);
  }
  return node;
}

const out = {};
for (const [era, source] of [['9', 'schema-9'], ['13', '@grafana/schema']]) {
  out[`dashboard.${era}`] = optional(schema(`dashboard${era}`, `import type { Dashboard } from '${source}';\nexport interface Root extends Dashboard {}\n`));
  out[`panel.${era}`] = optional(schema(`panel${era}`, `import type { Panel } from '${source}';\nexport interface Root extends Panel {}\n`));
  out[`timeseries.custom.${era}`] = optional(schema(`graph${era}`, `import type { GraphFieldConfig } from '${source}';\nexport interface Root extends GraphFieldConfig {}\n`));
  out[`legend.${era}`] = optional(schema(`legend${era}`, `import type { VizLegendOptions } from '${source}';\nexport interface Root extends VizLegendOptions {}\n`));
  out[`tooltip.${era}`] = optional(schema(`tooltip${era}`, `import type { VizTooltipOptions } from '${source}';\nexport interface Root extends VizTooltipOptions {}\n`));
}
out['table.custom.9'] = optional(schema('table9', "import type { TableFieldOptions } from 'schema-9';\nexport interface Root extends TableFieldOptions { filterable?: boolean }\n"));
out['state-timeline.custom.13'] = optional(schema('states', `import type { FieldConfig } from '${panelTypes('statetimeline', 'StateTimeline')}';\nexport interface Root extends FieldConfig {}\n`));
for (const [type, [folder, name]] of Object.entries(PANELS)) {
  out[`${type}.options.13`] = optional(schema(`options_${folder}`, `import type { Options } from '${panelTypes(folder, name)}';\nexport interface Root extends Options {}\n`));
}
out['target.13'] = optional(schema('target', "import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';\nexport type Root = Omit<Dataquery, '_implementsDataqueryVariant'>;\n"));
fs.writeFileSync('schemas.json', JSON.stringify(out));
