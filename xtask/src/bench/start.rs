//! A fresh process's first answer, from the moment it is started.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use levee_harness::{Group, free_port};

use super::cpu;
use super::setting::{Contender, Setting};
use crate::stop;

/// What a first answer took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// Starts a contender's process and asks until it answers.
pub(crate) fn first_answer(setting: &Setting, contender: &Contender, target: &str) -> Result<First> {
    let folder = setting.folder(contender)?;
    let port = free_port()?;
    let config = setting.configure(folder.path(), port, contender.cache)?;
    let mut command = Command::new(setting.workerd());
    command.arg("serve").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut group = Group::spawn(&mut command)?;
    let first = loop {
        if answers(port, target) {
            break First { wall: began.elapsed(), cpu: cpu::used(group.pid())? };
        }
        if group.has_ended() || stop::requested() || began.elapsed() > Duration::from_secs(20) {
            bail!("a fresh workerd with {} did not answer", contender.module);
        }
        thread::sleep(Duration::from_micros(500));
    };
    group.kill();
    Ok(first)
}

fn answers(port: u16, target: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(20))).is_ok()
        && stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}
