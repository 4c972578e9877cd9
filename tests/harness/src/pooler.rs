//! PgBouncer before the database server, in a container. Promise: except for its address and its
//! users, the pooler has its default settings and the settings that a fact names.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result};
use shared_events::topology::SERVICES;
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt, core::IntoContainerPort, runners::AsyncRunner,
};
use tokio::net::TcpStream;

use crate::{
    database::{DatabaseServer, password},
    docker::{image, ip},
    wait::wait_for,
};

const START_DEADLINE: Duration = Duration::from_secs(60);
const PORT: u16 = 6432;

/// A running PgBouncer.
pub(crate) struct Pooler {
    container: ContainerAsync<GenericImage>,
    pub(crate) address: SocketAddr,
    /// As the database server sees it.
    pub(crate) ip: IpAddr,
}

impl Pooler {
    /// Starts it with these settings (`pool_mode = session`).
    pub(crate) async fn start(server: &DatabaseServer, settings: &[&str]) -> Result<Self> {
        let container = image("PGBOUNCER_IMAGE", "bankwire/pgbouncer:dev")
            .await?
            .with_exposed_port(PORT.tcp())
            .with_startup_timeout(START_DEADLINE)
            .with_copy_to("/etc/pgbouncer/pgbouncer.ini", configured(server, settings).await?)
            .with_copy_to("/etc/pgbouncer/users", users().into_bytes())
            .start()
            .await
            .context("the pooler does not start")?;
        let port = container.get_host_port_ipv4(PORT.tcp()).await?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let ip = ip(container.id()).await?;
        wait_for("the pooler is up", START_DEADLINE, async || {
            TcpStream::connect(address).await?;
            Ok(true)
        })
        .await?;
        Ok(Self { container, address, ip })
    }

    pub(crate) async fn remove(self) -> Result<()> {
        Ok(self.container.rm().await?)
    }
}

async fn configured(server: &DatabaseServer, settings: &[&str]) -> Result<Vec<u8>> {
    let (host, port) = server.bridge_address().await?;
    let text = format!(
        "[databases]\n* = host={host} port={port}\n[pgbouncer]\nlisten_addr = 0.0.0.0\n\
         listen_port = {PORT}\nunix_socket_dir =\nauth_type = scram-sha-256\n\
         auth_file = /etc/pgbouncer/users\n{}\n",
        settings.join("\n"),
    );
    Ok(text.into_bytes())
}

/// Each service's role with its password; a quotation mark is written twice.
fn users() -> String {
    let line = |role: &&str| format!("\"{role}\" \"{}\"\n", password(role).replace('"', "\"\""));
    SERVICES.iter().map(line).collect()
}
