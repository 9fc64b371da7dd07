use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid,
};

/// How often a state is looked at while waiting for it.
const POLL: Duration = Duration::from_millis(10);
/// How long a killed group may take to vanish from the process table.
const REAP: Duration = Duration::from_secs(2);

/// A child in a process group of its own, ended as a whole: with its children, on drop, and even when the
/// program that started it is killed.
#[derive(Debug)]
pub struct Group {
    child: Child,
    pid: Pid,
    guard: Option<Child>,
    status: Option<ExitStatus>,
}

impl Group {
    /// Starts the command as the leader of a new process group.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = command.process_group(0).spawn()?;
        let pid = Pid::from_child(&child);
        match guard(pid) {
            Ok(guard) => Ok(Self { child, pid, guard: Some(guard), status: None }),
            Err(error) => {
                let _ = kill_process_group(pid, Signal::KILL);
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// The leader's process id, which is the group's id too.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The leader, to take its pipes from. It must be waited for and signalled through the group alone.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether the leader has ended. Its process id stays taken, so that the group can still be signalled safely.
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.status.is_some() || !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Waits for the leader to end by itself, until `give_up` says so.
    pub fn wait(&mut self, mut give_up: impl FnMut() -> bool) -> Option<ExitStatus> {
        while !self.has_ended() {
            if give_up() {
                return None;
            }
            thread::sleep(POLL);
        }
        self.stop(Duration::from_secs(1))
    }

    /// Asks the whole group to end (SIGTERM), waits up to `grace`, then kills what is left, and reaps the leader.
    pub fn stop(&mut self, grace: Duration) -> Option<ExitStatus> {
        self.end(Some(grace))
    }

    /// Kills the whole group at once (SIGKILL), as a crash would.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        self.end(None)
    }

    fn end(&mut self, grace: Option<Duration>) -> Option<ExitStatus> {
        if self.status.is_some() {
            return self.status;
        }
        if let Some(grace) = grace {
            let deadline = Instant::now() + grace;
            let _ = kill_process_group(self.pid, Signal::TERM);
            while !self.has_ended() && Instant::now() < deadline {
                thread::sleep(POLL);
            }
            if self.has_ended() {
                self.reap();
                // The leader is gone; its children get what is left of the time.
                while self.has_members() && Instant::now() < deadline {
                    thread::sleep(POLL);
                }
            }
        }
        let _ = kill_process_group(self.pid, Signal::KILL);
        self.reap();
        // Orphans are reaped by init; where there is none that does, they stay as zombies, so the wait is bounded.
        let deadline = Instant::now() + REAP;
        while self.has_members() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        self.dismiss_guard();
        self.status
    }

    fn reap(&mut self) {
        if self.status.is_none() {
            self.status = self.child.wait().ok();
        }
    }

    fn has_members(&self) -> bool {
        test_kill_process_group(self.pid).is_ok()
    }

    fn dismiss_guard(&mut self) {
        let Some(mut guard) = self.guard.take() else { return };
        if let Some(mut stdin) = guard.stdin.take() {
            let _ = stdin.write_all(b"done\n");
        }
        let _ = guard.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(5));
    }
}

/// A shell that waits on a pipe from this program. When the pipe closes without a word, this program was killed
/// without a chance to clean up, and the shell ends the group in its place.
fn guard(group: Pid) -> io::Result<Child> {
    const SCRIPT: &str = "trap '' INT TERM HUP; read -r word && exit 0; \
         kill -TERM -\"$1\" 2>/dev/null; sleep 3; kill -KILL -\"$1\" 2>/dev/null; exit 0";
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "levee-guard", &group.as_raw_nonzero().to_string()])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
