//! `service.yaml`, as Cloud Run reads it, fits the program that it runs.

use clap::Parser as _;
use levee_origin::Settings;
use saphyr::{LoadableYamlNode as _, YamlOwned};

/// The file, and what its parts are called in messages.
fn service() -> YamlOwned {
    let mut documents = YamlOwned::load_from_str(include_str!("../service.yaml")).expect("it is YAML");
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// What is found by following the names; panics with the path where there is nothing.
fn at<'a>(yaml: &'a YamlOwned, path: &[&str]) -> &'a YamlOwned {
    path.iter().fold(yaml, |yaml, name| {
        yaml.as_mapping_get(name).unwrap_or_else(|| panic!("service.yaml has no {}", path.join(" / ")))
    })
}

fn text<'a>(yaml: &'a YamlOwned, path: &[&str]) -> &'a str {
    at(yaml, path).as_str().unwrap_or_else(|| panic!("{} must be a string", path.join(" / ")))
}

fn container(service: &YamlOwned) -> &YamlOwned {
    let containers = at(service, &["spec", "template", "spec", "containers"]);
    let containers = containers.as_sequence().expect("a list of containers");
    assert_eq!(containers.len(), 1);
    &containers[0]
}

fn variables(service: &YamlOwned) -> Vec<(String, String)> {
    let listed = at(container(service), &["env"]).as_sequence().expect("a list of variables");
    listed.iter().map(|one| (text(one, &["name"]).to_owned(), text(one, &["value"]).to_owned())).collect()
}

#[test]
fn both_maxima_and_the_variable_say_one_instance() {
    let service = service();
    let of_service = text(&service, &["metadata", "annotations", "run.googleapis.com/maxScale"]);
    let of_revision =
        text(&service, &["spec", "template", "metadata", "annotations", "autoscaling.knative.dev/maxScale"]);
    let variables = variables(&service);
    let told = variables.iter().find(|(name, _)| name == "LEVEE_ORIGIN_MAX_INSTANCES");
    let (_, told) = told.expect("service.yaml does not set LEVEE_ORIGIN_MAX_INSTANCES");
    assert_eq!((of_service, of_revision), (told.as_str(), told.as_str()));
    let settings =
        Settings::parse_from(["levee-origin", "--cloud-run-service", "box-office", "--max-instances", told]);
    settings.check_platform().expect("the program starts under this file");
}

/// Each variable is one that the program reads, with a value that it takes: a misspelt one would be ignored in silence.
#[test]
fn every_variable_is_known_to_the_program() {
    let command = <Settings as clap::CommandFactory>::command();
    for (name, value) in variables(&service()) {
        let option = command.get_arguments().find(|argument| argument.get_env() == Some(name.as_ref()));
        let option = option.unwrap_or_else(|| panic!("levee-origin reads no {name}"));
        let long = option.get_long().expect("every option has a long name");
        Settings::try_parse_from(["levee-origin".to_owned(), format!("--{long}={value}")])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn probes_ask_what_they_are_about_at_the_port_that_is_opened() {
    let service = service();
    let container = container(&service);
    let ports = at(container, &["ports"]).as_sequence().expect("a list of ports");
    let port = at(&ports[0], &["containerPort"]).as_integer().expect("a number");
    for (probe, path) in [("startupProbe", "/readyz"), ("livenessProbe", "/healthz")] {
        assert_eq!(text(container, &[probe, "httpGet", "path"]), path);
        assert_eq!(at(container, &[probe, "httpGet", "port"]).as_integer(), Some(port));
    }
    let dockerfile = include_str!("../Dockerfile");
    assert!(dockerfile.contains(&format!("EXPOSE {port}\n")), "origin/Dockerfile exposes another port");
}
