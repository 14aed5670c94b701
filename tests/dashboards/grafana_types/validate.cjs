// validate.cjs FILE...: prints {file: [problem]} of dashboards, by the schemas that make_schemas.cjs wrote.
const fs = require('fs');
const path = require('path');
const Ajv = require('ajv');

const schemas = JSON.parse(fs.readFileSync(path.join(__dirname, 'schemas.json'), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
const validators = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema)]));

// What Grafana itself writes and its types do not say: null for no id and for the lowest threshold, the definition of a
// variable, and what the Prometheus data source keeps in an annotation. The types of 9.3 tell little of variables and annotations.
function withoutKnownGaps(dashboard, era) {
  const copy = JSON.parse(JSON.stringify({ ...dashboard, id: 0, panels: [] }));
  if (era === '9') return { ...copy, templating: undefined, annotations: undefined, refresh: false };
  for (const variable of copy.templating?.list ?? []) delete variable.definition;
  for (const annotation of copy.annotations?.list ?? []) {
    for (const key of ['expr', 'step', 'titleFormat', 'textFormat', 'tagKeys', 'useValueForTime', 'target']) delete annotation[key];
  }
  return copy;
}

function withoutKnownGapsOfPanel(panel, era) {
  const copy = JSON.parse(JSON.stringify(panel));
  const defaults = copy.fieldConfig?.defaults;
  for (const step of defaults?.thresholds?.steps ?? []) step.value ??= -1;
  // The types of 9.3 allow only "true" and "false" of what its own enum SpecialValueMatch has.
  if (era === '9' && defaults?.mappings) {
    defaults.mappings = defaults.mappings.filter((m) => m.type !== 'special' || !['null', 'nan', 'null+nan', 'empty'].includes(m.options?.match));
  }
  return copy;
}

function problems(dashboard) {
  const out = new Set();
  const check = (name, value, where) => {
    const validate = validators[name];
    if (!validate) {
      out.add(`${where}: no schema ${name}`);
    } else if (!validate(value)) {
      for (const e of validate.errors) out.add(`${where} [${name}]${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
    }
  };
  for (const era of ['9', '13']) check(`dashboard.${era}`, withoutKnownGaps(dashboard, era), 'dashboard');
  for (const panel of dashboard.panels ?? []) {
    if (panel.type === 'row') continue;
    const where = `panel ${panel.id}`;
    for (const era of ['9', '13']) check(`panel.${era}`, withoutKnownGapsOfPanel(panel, era), where);
    const custom = panel.fieldConfig?.defaults?.custom;
    check(`${panel.type}.options.13`, panel.options ?? {}, `${where} options`);
    for (const [part, value] of [['legend', panel.options?.legend], ['tooltip', panel.options?.tooltip]]) {
      if (value !== undefined) {
        check(`${part}.9`, value, `${where} ${part}`);
        check(`${part}.13`, value, `${where} ${part}`);
      }
    }
    if (custom !== undefined) {
      for (const era of ['9', '13']) {
        if (validators[`${panel.type}.custom.${era}`]) check(`${panel.type}.custom.${era}`, custom, `${where} custom`);
      }
    }
    for (const override of panel.fieldConfig?.overrides ?? []) {
      const set = Object.fromEntries(override.properties.filter((p) => p.id.startsWith('custom.')).map((p) => [p.id.slice(7), p.value]));
      for (const era of ['9', '13']) {
        if (validators[`${panel.type}.custom.${era}`]) check(`${panel.type}.custom.${era}`, set, `${where} override`);
      }
    }
    for (const target of panel.targets ?? []) check('target.13', target, `${where} target ${target.refId}`);
  }
  return [...out];
}

const out = {};
for (const file of process.argv.slice(2)) out[file] = problems(JSON.parse(fs.readFileSync(file, 'utf8')));
console.log(JSON.stringify(out));
