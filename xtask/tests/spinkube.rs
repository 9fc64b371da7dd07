//! The SpinKube manifest: only fields that a `SpinApp` has, and only variables that `spin.toml` declares.

use std::path::PathBuf;

use yaml_rust2::{Yaml, YamlLoader};

/// What the resource `SpinApp` of `core.spinkube.dev/v1alpha1` has, as far as the manifest may use it. A dot leads into a table,
/// `[]` into a list; `!` marks what must be there, `*` what holds any names.
const FIELDS: [&str; 44] = [
    "apiVersion!",
    "kind!",
    "metadata!",
    "metadata.name!",
    "metadata.namespace",
    "metadata.labels*",
    "spec!",
    "spec.image!",
    "spec.imagePullSecrets[]",
    "spec.imagePullSecrets[].name",
    "spec.executor",
    "spec.components[]",
    "spec.replicas",
    "spec.enableAutoscaling",
    "spec.podAnnotations*",
    "spec.podLabels*",
    "spec.deploymentAnnotations*",
    "spec.serviceAnnotations*",
    "spec.checks",
    "spec.checks.liveness",
    "spec.checks.liveness.failureThreshold",
    "spec.checks.liveness.httpGet",
    "spec.checks.liveness.httpGet.path!",
    "spec.checks.liveness.initialDelaySeconds",
    "spec.checks.liveness.periodSeconds",
    "spec.checks.liveness.timeoutSeconds",
    "spec.checks.readiness",
    "spec.checks.readiness.failureThreshold",
    "spec.checks.readiness.httpGet",
    "spec.checks.readiness.httpGet.path!",
    "spec.checks.readiness.initialDelaySeconds",
    "spec.checks.readiness.periodSeconds",
    "spec.checks.readiness.timeoutSeconds",
    "spec.resources",
    "spec.resources.requests*",
    "spec.resources.limits*",
    "spec.variables[]",
    "spec.variables[].name!",
    "spec.runtimeConfig",
    "spec.runtimeConfig.keyValueStores[]",
    "spec.runtimeConfig.keyValueStores[].name!",
    "spec.runtimeConfig.keyValueStores[].type!",
    "spec.runtimeConfig.keyValueStores[].options[]",
    "spec.runtimeConfig.keyValueStores[].options[].name!",
];

/// Where a value may stand as it is, or come from a secret.
const VALUES: [&str; 2] = ["spec.variables[]", "spec.runtimeConfig.keyValueStores[].options[]"];

fn fields() -> Vec<String> {
    let values = VALUES.iter().flat_map(|of| {
        [
            format!("{of}.value"),
            format!("{of}.valueFrom"),
            format!("{of}.valueFrom.secretKeyRef"),
            format!("{of}.valueFrom.secretKeyRef.name!"),
            format!("{of}.valueFrom.secretKeyRef.key!"),
        ]
    });
    FIELDS.iter().map(|field| (*field).to_owned()).chain(values).collect()
}

/// What is wrong in a value that stands at `path`.
fn problems(value: &Yaml, path: &str, fields: &[String], problems_so_far: &mut Vec<String>) {
    let bare = |field: &str| field.trim_end_matches(['!', '*', ']', '[']).to_owned();
    match value {
        Yaml::Hash(table) => {
            for (name, inner) in table {
                let name = name.as_str().unwrap_or("?");
                let at = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                match fields.iter().find(|field| bare(field) == at) {
                    None => problems_so_far.push(format!("{at} is no field of a SpinApp")),
                    Some(field) if field.ends_with('*') => {}
                    Some(_) => problems(inner, &at, fields, problems_so_far),
                }
            }
            let parent = if path.is_empty() { String::new() } else { format!("{path}.") };
            for field in fields.iter().filter(|field| field.ends_with('!')) {
                let is_own = bare(field).strip_prefix(&parent).is_some_and(|rest| !rest.contains('.'));
                let name = bare(field).rsplit('.').next().unwrap_or_default().to_owned();
                if is_own && !table.contains_key(&Yaml::String(name.clone())) {
                    problems_so_far.push(format!("{parent}{name} is missing"));
                }
            }
        }
        Yaml::Array(list) => {
            list.iter().for_each(|inner| problems(inner, &format!("{path}[]"), fields, problems_so_far));
        }
        _ => {}
    }
}

fn checked(text: &str) -> Vec<String> {
    let documents = YamlLoader::load_from_str(text).expect("YAML");
    let mut found = Vec::new();
    documents.iter().for_each(|document| problems(document, "", &fields(), &mut found));
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest() -> String {
    std::fs::read_to_string(root().join("infra/spinkube/levee.yaml")).expect("the manifest")
}

#[test]
fn it_has_only_fields_of_a_spinapp() {
    assert_eq!(checked(&manifest()), Vec::<String>::new());
    let document = &YamlLoader::load_from_str(&manifest()).expect("YAML")[0];
    assert_eq!(document["apiVersion"].as_str(), Some("core.spinkube.dev/v1alpha1"));
    assert_eq!(document["kind"].as_str(), Some("SpinApp"));
}

#[test]
fn a_misspelt_and_a_missing_field_are_found() {
    let wrong = manifest().replace("replicas:", "replica:").replace("  image:", "  picture:");
    let found = checked(&wrong);
    for expected in ["spec.replica is no field", "spec.picture is no field", "spec.image is missing"] {
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn its_variables_are_those_of_the_application() {
    let text = std::fs::read_to_string(root().join("spin.toml")).expect("spin.toml");
    let spin: toml::Table = text.parse().expect("a manifest");
    let document = &YamlLoader::load_from_str(&manifest()).expect("YAML")[0];
    for variable in document["spec"]["variables"].as_vec().expect("variables") {
        let name = variable["name"].as_str().expect("a name");
        let declared = spin["variables"].get(name).unwrap_or_else(|| panic!("{name} is not declared"));
        let is_secret = declared.get("secret").and_then(toml::Value::as_bool).unwrap_or(false);
        assert_eq!(is_secret, variable["value"].is_badvalue(), "{name}: a secret comes from a secret");
    }
}

#[test]
fn the_patch_of_its_limits_meets_its_container() {
    let patch = std::fs::read_to_string(root().join("infra/spinkube/limits.yaml")).expect("the patch");
    let patch = &YamlLoader::load_from_str(&patch).expect("YAML")[0];
    let app = &YamlLoader::load_from_str(&manifest()).expect("YAML")[0];
    // The operator names the Deployment and its container after the application.
    let container = &patch["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["name"].as_str(), app["metadata"]["name"].as_str());
    assert_eq!(container["env"][0]["name"].as_str(), Some("SPIN_WASMTIME_TOTAL_STACKS"));
    let stacks = container["env"][0]["value"].as_str().expect("Kubernetes takes a string alone");
    assert!(stacks.parse::<u32>().is_ok_and(|stacks| stacks > 1_000), "{stacks}");
}
