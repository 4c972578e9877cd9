//! The Docker command line, for features that testcontainers lacks.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use testcontainers::GenericImage;
use tokio::process::Command;

/// Runs `docker` with these arguments and returns what it printed.
pub(crate) async fn docker(arguments: &[&str]) -> Result<String> {
    let done = Command::new("docker").args(arguments).output().await;
    let done = done.context("cannot run `docker`: is Docker installed?")?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("docker {}: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// Where other containers and the host reach this one.
pub(crate) async fn ip(container: &str) -> Result<IpAddr> {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let told = docker(&["inspect", "--format", format, container]).await?;
    let first = told.split_whitespace().next();
    Ok(first.with_context(|| format!("{container} is in no network"))?.parse()?)
}

/// The image that the environment names, or our own, which must have been built.
pub(crate) async fn image(variable: &str, ours: &str) -> Result<GenericImage> {
    let named = std::env::var(variable).ok().filter(|name| !name.is_empty());
    if named.is_none() {
        let found = docker(&["image", "inspect", "--format", "{{.Id}}", ours]).await;
        found.with_context(|| {
            format!("\n\n  the image {ours} is not here. Build the image first:  make images\n")
        })?;
    }
    let image = named.as_deref().unwrap_or(ours);
    let tagged = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    let (name, tag) = tagged.unwrap_or((image, "latest"));
    Ok(GenericImage::new(name, tag))
}
