use crate::run;

/// What the tools are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To make the image.
    Build,
    /// To run it too.
    Run,
}

/// A sentence about what is missing here, or nothing.
pub(crate) fn missing(purpose: Purpose) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some(String::from("an image is made and run without Docker on Linux only"));
    }
    let mut tools = vec![("musl-gcc", "-dumpversion", "musl-tools"), ("buildah", "--version", "buildah")];
    if purpose == Purpose::Run {
        tools.extend([("podman", "--version", "podman"), ("runc", "--version", "runc")]);
    }
    tools.retain(|(program, ask, _)| run::ask(program, &[ask]).is_none());
    if tools.is_empty() {
        return None;
    }
    let programs: Vec<_> = tools.iter().map(|(program, ..)| *program).collect();
    let packages: Vec<_> = tools.iter().map(|(.., package)| *package).collect();
    Some(format!("{} missing: apt-get install {}", programs.join(" and "), packages.join(" ")))
}
