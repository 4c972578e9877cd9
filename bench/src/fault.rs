//! Why a measurement failed. A figure is right, or there is none.

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("the broker failed")]
    Broker(#[from] lapin::Error),
    #[error("there is no connection")]
    Connection(#[from] shared_events::amqp::BusError),
    #[error("a database failed")]
    Database(#[from] sqlx::Error),
    #[error("cannot {doing}")]
    System {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    /// A command in a container, or of the engine, said no.
    #[error("{command}: {said}")]
    Command { command: String, said: String },
    /// An option, or a variable of the environment, breaks a rule.
    #[error("{field}: {rule}")]
    Setting { field: String, rule: String },
    /// The output does not match the input.
    #[error("{0}")]
    Wrong(String),
}

impl BenchError {
    pub(crate) fn system(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        |source| Self::System { doing, source }
    }

    pub(crate) fn setting(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Setting { field: field.into(), rule: rule.into() }
    }
}
