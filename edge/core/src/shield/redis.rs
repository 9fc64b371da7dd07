//! The lease as Redis commands, encoded once for all who carry them: Spin's Redis, RESP, Upstash's REST.

use std::time::Duration;

use crate::platform::{Lease, LeaseError};

/// A command with its arguments, as Redis has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub name: &'static str,
    pub arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Text(String),
    Number(i64),
}

/// What Redis answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Nil,
    Status(String),
    Number(i64),
    Bytes(Vec<u8>),
}

/// Carries commands to a Redis.
#[allow(async_fn_in_trait, reason = "no `Send` is asked for, on purpose")]
pub trait Redis {
    /// # Errors
    /// What went wrong between here and Redis, or what Redis says is wrong.
    async fn execute(&self, command: Command) -> Result<Reply, LeaseError>;

    async fn sleep(&self, time: Duration);
}

/// A [`Lease`] kept in a Redis.
#[derive(Clone, Copy, Debug)]
pub struct RedisLease<R>(pub R);

/// Compare and replace in one step; an empty new word removes.
const REPLACE: &str = "if redis.call('GET',KEYS[1])~=ARGV[1] then return 0 end \
     if ARGV[2]=='' then redis.call('DEL',KEYS[1]) else redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) end return 1";

impl<R: Redis> Lease for RedisLease<R> {
    async fn take(&self, name: &str, word: &str, holds: Duration) -> Result<bool, LeaseError> {
        let command = Command {
            name: "SET",
            arguments: vec![key(name), text(word), text("NX"), text("PX"), milliseconds(holds)],
        };
        match self.0.execute(command).await? {
            Reply::Status(_) => Ok(true),
            Reply::Nil => Ok(false),
            reply => Err(unexpected("SET", &reply)),
        }
    }

    async fn read(&self, name: &str) -> Result<Option<String>, LeaseError> {
        match self.0.execute(Command { name: "GET", arguments: vec![key(name)] }).await? {
            Reply::Nil => Ok(None),
            Reply::Bytes(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Reply::Status(word) => Ok(Some(word)),
            reply @ Reply::Number(_) => Err(unexpected("GET", &reply)),
        }
    }

    async fn replace(
        &self,
        name: &str,
        old: &str,
        new: Option<(&str, Duration)>,
    ) -> Result<bool, LeaseError> {
        let (word, holds) = new.unwrap_or(("", Duration::from_millis(1)));
        let arguments =
            vec![text(REPLACE), Argument::Number(1), key(name), text(old), text(word), milliseconds(holds)];
        match self.0.execute(Command { name: "EVAL", arguments }).await? {
            Reply::Number(replaced) => Ok(replaced == 1),
            reply => Err(unexpected("EVAL", &reply)),
        }
    }

    async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }
}

fn key(name: &str) -> Argument {
    Argument::Text(format!("levee:lease:{name}"))
}

fn text(text: &str) -> Argument {
    Argument::Text(text.to_owned())
}

/// Redis refuses an expiry of zero.
fn milliseconds(time: Duration) -> Argument {
    Argument::Number(i64::try_from(time.as_millis().max(1)).unwrap_or(i64::MAX))
}

fn unexpected(command: &str, reply: &Reply) -> LeaseError {
    LeaseError(format!("{command} was answered {reply:?}"))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::testing::block_on;

    /// Answers what it is told to, and remembers what it was sent.
    struct Scripted(RefCell<Vec<Reply>>, RefCell<Vec<Command>>);

    impl Redis for Scripted {
        async fn execute(&self, command: Command) -> Result<Reply, LeaseError> {
            self.1.borrow_mut().push(command);
            Ok(self.0.borrow_mut().remove(0))
        }

        async fn sleep(&self, _: Duration) {}
    }

    fn lease(replies: Vec<Reply>) -> RedisLease<Scripted> {
        RedisLease(Scripted(RefCell::new(replies), RefCell::default()))
    }

    #[test]
    fn a_lease_is_taken_only_where_none_is_and_expires() {
        let lease = lease(vec![Reply::Status("OK".into()), Reply::Nil, Reply::Number(3)]);
        let take = || block_on(lease.take("a", "fly 1 x", Duration::from_millis(1_500)));
        assert_eq!((take(), take()), (Ok(true), Ok(false)));
        assert!(take().is_err());
        let sent = &lease.0.1.borrow()[0];
        assert_eq!(sent.name, "SET");
        let expected = [key("a"), text("fly 1 x"), text("NX"), text("PX"), Argument::Number(1_500)];
        assert_eq!(sent.arguments, expected);
    }

    #[test]
    fn only_its_own_word_is_replaced() {
        let lease = lease(vec![Reply::Number(1), Reply::Number(0)]);
        assert_eq!(block_on(lease.replace("a", "mine", None)), Ok(true));
        let alone = Some(("alone", Duration::from_secs(2)));
        assert_eq!(block_on(lease.replace("a", "mine", alone)), Ok(false));
        let sent = lease.0.1.borrow();
        assert_eq!(sent[0].arguments[1..5], [Argument::Number(1), key("a"), text("mine"), text("")]);
        assert_eq!(sent[1].arguments[3..], [text("mine"), text("alone"), Argument::Number(2_000)]);
    }

    #[test]
    fn what_stands_there_is_read() {
        let lease = lease(vec![Reply::Nil, Reply::Bytes(b"alone".to_vec())]);
        assert_eq!(block_on(lease.read("a")), Ok(None));
        assert_eq!(block_on(lease.read("a")), Ok(Some("alone".into())));
    }
}
