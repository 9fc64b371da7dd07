use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Lines kept in memory for each process.
const KEPT: usize = 2_000;
/// A longer line is cut, so that a program writing no line ends cannot fill the memory.
const LINE_MAX: u64 = 64 * 1024;

pub(crate) type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// What a process wrote to stdout and stderr: the last lines in memory, everything in a file if asked.
///
/// Cloning gives another handle to the same log.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    sink: Option<Sink>,
}

struct State {
    lines: VecDeque<String>,
    /// How many lines were written before `lines[0]`.
    dropped: usize,
    file: Option<File>,
    open_streams: usize,
}

impl Log {
    /// A log in memory alone, for a process that the caller runs.
    pub fn in_memory() -> Self {
        Self::new(None, None)
    }

    pub(crate) fn new(file: Option<File>, sink: Option<Sink>) -> Self {
        let state = State { lines: VecDeque::new(), dropped: 0, file, open_streams: 0 };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), sink }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a stream to its end on a thread of its own. The thread is never joined: a grandchild may hold the
    /// stream open for longer than anyone wants to wait.
    pub fn follow(&self, stream: impl Read + Send + 'static) {
        self.state().open_streams += 1;
        let log = self.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut raw = Vec::new();
            loop {
                raw.clear();
                match reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut raw) {
                    Ok(0) | Err(_) => break,
                    Ok(_) => log.push(String::from_utf8_lossy(&raw).trim_end()),
                }
            }
            log.state().open_streams -= 1;
            log.shared.changed.notify_all();
        });
    }

    fn push(&self, line: &str) {
        {
            let mut state = self.state();
            if let Some(file) = &mut state.file {
                // A full disk must not take the system under test down with it.
                let _ = writeln!(file, "{line}");
            }
            if state.lines.len() == KEPT {
                state.lines.pop_front();
                state.dropped += 1;
            }
            state.lines.push_back(line.to_owned());
        }
        self.shared.changed.notify_all();
        if let Some(sink) = &self.shared.sink {
            sink(line);
        }
    }

    /// The lines still in memory, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.state().lines.iter().cloned().collect()
    }

    /// How many lines have been written so far: a mark for [`Log::since`].
    pub fn mark(&self) -> usize {
        let state = self.state();
        state.dropped + state.lines.len()
    }

    /// The lines written after a [`mark`](Log::mark), as far as they are still in memory.
    pub fn since(&self, mark: usize) -> Vec<String> {
        let state = self.state();
        state.lines.iter().skip(mark.saturating_sub(state.dropped)).cloned().collect()
    }

    /// The last `count` lines, for an error message.
    pub fn tail(&self, count: usize) -> String {
        let state = self.state();
        let from = state.lines.len().saturating_sub(count);
        state.lines.iter().skip(from).map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
    }

    /// Waits until a line after `mark` is accepted, and returns what was made of it; `None` when time is up.
    pub fn wait_for<T>(
        &self,
        mark: usize,
        within: Duration,
        accept: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + within;
        let mut state = self.state();
        let mut seen = mark;
        loop {
            let skip = seen.saturating_sub(state.dropped);
            if let Some(found) = state.lines.iter().skip(skip).find_map(|line| accept(line)) {
                return Some(found);
            }
            seen = state.dropped + state.lines.len();
            let left = deadline.checked_duration_since(Instant::now())?;
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Gives the last words of a process that has ended a moment to arrive.
    pub fn settle(&self, within: Duration) {
        let deadline = Instant::now() + within;
        let mut state = self.state();
        while state.open_streams > 0 {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("lines", &self.mark()).finish_non_exhaustive()
    }
}
