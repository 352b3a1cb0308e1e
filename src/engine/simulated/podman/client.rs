//! podman's plugin client: five seconds for a whole call, no second try, and an `Err` only where the status says so.
//!
//! libpod `plugin/volume_api.go`. Each podman command is a process of its own, and so activates again.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use serde_json::Value;

use crate::{
    domain::model::protocol::Operation,
    engine::simulated::{
        profile::Profile,
        transport::{DriverAddress, Lost, Transport},
    },
    engine_api::Clock,
};

const LIMIT: Duration = Duration::from_secs(5);
const MEDIA_TYPE: &str = "application/vnd.docker.plugins.v1.1+json";

/// One podman process that talks to one plugin.
pub(super) struct PodmanClient {
    transport: Transport,
    clock: Clock,
    plugin: String,
}

impl PodmanClient {
    /// Finds the plugin and activates it.
    pub(super) async fn connect(plugin: &str, address: &DriverAddress, clock: Clock) -> Result<Self, String> {
        if let DriverAddress::Unix(path) = address
            && !path.exists()
        {
            let path = path.display();
            return Err(format!(
                "cannot access plugin {plugin} socket \"{path}\": stat {path}: no such file or directory"
            ));
        }
        let transport = Transport::new(address.clone(), clock, Profile::Podman.idle_connections());
        let client = Self { transport, clock, plugin: plugin.to_owned() };
        let (status, body) = client
            .exchange(Operation::Activate, String::new())
            .await
            .map_err(|error| format!("sending request to plugin {plugin} activation endpoint: {error}"))?;
        if status != 200 {
            return Err(format!(
                "got status code {status} from activation endpoint for plugin {plugin}: target does not appear to be a valid plugin"
            ));
        }
        let manifest: Value = serde_json::from_slice(&body)
            .map_err(|error| format!("error unmarshalling plugin {plugin} activation response: {error}"))?;
        let provided = manifest["Implements"].as_array().cloned().unwrap_or_default();
        if provided.iter().all(|interface| interface != "VolumeDriver") {
            let provided: Vec<_> = provided.iter().filter_map(Value::as_str).collect();
            return Err(format!(
                "plugin {plugin} does not implement volume plugin, instead provides {}: plugin is not a volume plugin",
                provided.join(", ")
            ));
        }
        Ok(client)
    }

    /// Calls the plugin about a volume.
    pub(super) async fn call(
        &self,
        operation: Operation,
        volume: &str,
        body: String,
    ) -> Result<Bytes, String> {
        let Self { plugin, .. } = self;
        let path = operation.path();
        let (status, reply) = self
            .exchange(operation, body)
            .await
            .map_err(|error| format!("sending request to volume plugin {plugin} endpoint {path}: {error}"))?;
        if status == 200 {
            return Ok(reply);
        }
        let parsed: Value = serde_json::from_slice(&reply)
            .map_err(|error| format!("unmarshalling JSON response from volume plugin {plugin}: {error}"))?;
        let parsed =
            parsed["Err"].as_str().filter(|parsed| !parsed.is_empty()).unwrap_or("empty error from plugin");
        Err(format!("on {path} on volume {volume} in volume plugin {plugin}: {parsed}"))
    }

    async fn exchange(&self, operation: Operation, body: String) -> Result<(u16, Bytes), String> {
        let request = Request::post(operation.path())
            .header(header::HOST, "plugin")
            .header(header::USER_AGENT, Profile::Podman.user_agent())
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .body(Full::new(Bytes::from(body)))
            .expect("every part of the request is fixed");
        let whole = async {
            let mut reply = self.transport.send(request).await?;
            let mut body = Vec::new();
            while let Some(chunk) =
                reply.chunk().await.map_err(|lost| Lost { text: lost.text, sent: true })?
            {
                body.extend_from_slice(&chunk);
            }
            let status = reply.status();
            reply.finish();
            Ok((status, Bytes::from(body)))
        };
        let late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
        let exchanged = self.clock.timeout(Some(LIMIT), whole).await;
        let exchanged = exchanged.unwrap_or_else(|_| Err(Lost { text: late.into(), sent: true }));
        exchanged.map_err(|lost| format!("Post \"http://plugin{}\": {}", operation.path(), lost.text))
    }
}
