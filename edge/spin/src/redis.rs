//! Spin's Redis interface, as a carrier of the lease's commands.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use levee::platform::LeaseError;
use levee::shield::redis::{Argument, Command, Redis, Reply};
use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};

/// One Redis, seen from one instance. Connected when it is first needed, and again after a failure.
#[derive(Clone)]
pub(crate) struct SpinRedis(Rc<Inner>);

struct Inner {
    url: String,
    connection: RefCell<Option<Rc<Connection>>>,
}

impl SpinRedis {
    pub(crate) fn new(url: String) -> Self {
        Self(Rc::new(Inner { url, connection: RefCell::new(None) }))
    }

    async fn connection(&self) -> Result<Rc<Connection>, Error> {
        let known = self.0.connection.borrow().clone();
        if let Some(connection) = known {
            return Ok(connection);
        }
        let connection = Rc::new(Connection::open(&self.0.url).await?);
        // Several requests may have connected at once: the last one stays.
        self.0.connection.replace(Some(connection.clone()));
        Ok(connection)
    }
}

impl std::fmt::Debug for SpinRedis {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpinRedis").finish_non_exhaustive()
    }
}

impl Redis for SpinRedis {
    async fn execute(&self, Command { name, arguments }: Command) -> Result<Reply, LeaseError> {
        let connection = self.connection().await.map_err(|error| failed(name, &error))?;
        match connection.execute(name, arguments.into_iter().map(parameter)).await {
            Ok(results) => Ok(results.into_iter().next().map_or(Reply::Nil, reply)),
            Err(error) => {
                self.0.connection.replace(None);
                Err(failed(name, &error))
            }
        }
    }

    async fn sleep(&self, time: Duration) {
        spin_sdk::time::sleep(time).await;
    }
}

fn parameter(argument: Argument) -> RedisParameter {
    match argument {
        Argument::Text(text) => RedisParameter::Binary(text.into_bytes()),
        Argument::Number(number) => RedisParameter::Int64(number),
    }
}

fn reply(result: RedisResult) -> Reply {
    match result {
        RedisResult::Nil => Reply::Nil,
        RedisResult::Status(status) => Reply::Status(status),
        RedisResult::Int64(number) => Reply::Number(number),
        RedisResult::Binary(bytes) => Reply::Bytes(bytes),
    }
}

fn failed(command: &str, error: &Error) -> LeaseError {
    LeaseError(format!("Redis {command}: {error}"))
}
