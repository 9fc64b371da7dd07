//! What Cloud Run is told to do must fit what this program can do there.

/// Why the box office does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "this is Cloud Run (service {service}), and LEVEE_ORIGIN_MAX_INSTANCES is not set: it must repeat the service's \
         largest number of instances, which SQLite allows to be 1 only; origin/service.yaml sets both"
    )]
    Untold { service: String },
    #[error(
        "this is Cloud Run (service {service}) with up to {instances} instances: each has a file system of its own, so each \
         would sell the same seats from an SQLite file of its own. Set the service's largest number of instances \
         (run.googleapis.com/maxScale) and LEVEE_ORIGIN_MAX_INSTANCES to 1, as origin/service.yaml does"
    )]
    SeveralInstances { service: String, instances: u32 },
}

/// Refuses SQLite on Cloud Run with more than one instance. `service` is `K_SERVICE`, which Cloud Run sets and nobody else;
/// `instances` is what the service says its limit is, because an instance cannot see that.
pub(crate) fn check(service: Option<&str>, instances: Option<u32>) -> Result<(), Refusal> {
    let Some(service) = service.filter(|service| !service.is_empty()) else { return Ok(()) };
    match instances {
        Some(1) => Ok(()),
        Some(instances) => Err(Refusal::SeveralInstances { service: service.to_owned(), instances }),
        None => Err(Refusal::Untold { service: service.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elsewhere_nothing_is_asked() {
        for instances in [None, Some(1), Some(100)] {
            assert_eq!(check(None, instances), Ok(()));
            assert_eq!(check(Some(""), instances), Ok(()));
        }
    }

    #[test]
    fn on_cloud_run_exactly_one_instance_is_allowed() {
        assert_eq!(check(Some("box-office"), Some(1)), Ok(()));
        let several = check(Some("box-office"), Some(3)).expect_err("several").to_string();
        assert!(several.contains("box-office") && several.contains("up to 3 instances"), "{several}");
        let untold = check(Some("box-office"), None).expect_err("untold").to_string();
        assert!(untold.contains("LEVEE_ORIGIN_MAX_INSTANCES is not set"), "{untold}");
        assert!(check(Some("box-office"), Some(0)).is_err());
    }
}
