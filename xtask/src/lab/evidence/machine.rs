//! What the run ran on. Its name is nobody's business and is left out.

use super::summary::Machine;
use crate::run;

pub(super) fn describe() -> Machine {
    Machine {
        system: run::ask("uname", &["-srm"]).unwrap_or_else(|| std::env::consts::OS.to_owned()),
        cpu: cpu().unwrap_or_else(|| String::from("unknown")),
        cores: std::thread::available_parallelism()
            .map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
        memory_bytes: memory().unwrap_or(0),
    }
}

fn cpu() -> Option<String> {
    if cfg!(target_os = "macos") {
        return run::ask("sysctl", &["-n", "machdep.cpu.brand_string"]);
    }
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory() -> Option<u64> {
    if cfg!(target_os = "macos") {
        return run::ask("sysctl", &["-n", "hw.memsize"])?.parse().ok();
    }
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}
