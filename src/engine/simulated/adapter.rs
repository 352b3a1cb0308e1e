//! The adapter: a plugin as a volume driver, with the deadlines of `dockerd` (moby `daemon/volume/drivers`).

use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

use super::{
    client::{CallError, DaemonClient},
    reply::Fields,
};
use crate::domain::model::protocol::{Operation, Options};

/// For Create and Mount.
const LONG: Duration = Duration::from_secs(120);
/// For all other calls but Activate, which has none.
const SHORT: Duration = Duration::from_secs(60);

/// Where a driver's volumes can be reached from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Local,
    Global,
}

impl Scope {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Global => "global",
        }
    }
}

/// A volume as its driver describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Described {
    /// Believed without comparing it with the name that was asked for.
    pub name: String,
    pub mountpoint: String,
    pub created: Option<String>,
    pub status: Option<Value>,
}

#[derive(Serialize)]
struct NamedRequest<'b> {
    #[serde(rename = "Name")]
    name: &'b str,
}

#[derive(Serialize)]
struct Creation<'b> {
    #[serde(rename = "Name")]
    name: &'b str,
    /// `null` without options.
    #[serde(rename = "Opts")]
    options: Option<&'b Options>,
}

#[derive(Serialize)]
struct Mounting<'b> {
    #[serde(rename = "Name")]
    name: &'b str,
    #[serde(rename = "ID")]
    id: &'b str,
}

/// JSON as Go's encoder writes it: with a line's end, and safe inside HTML.
fn go_json(value: &impl Serialize) -> Bytes {
    let mut json = serde_json::to_string(value).expect("names and options are always JSON");
    for (letter, escape) in [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026")] {
        json = json.replace(letter, escape);
    }
    json.push('\n');
    json.into()
}

/// A plugin as a volume driver.
pub(super) struct Adapter {
    pub name: String,
    client: DaemonClient,
    /// Known once the plugin has answered; after an error it is asked again each time.
    scope: Mutex<Option<Scope>>,
}

impl Adapter {
    pub(super) fn new(name: String, client: DaemonClient) -> Self {
        Self { name, client, scope: Mutex::default() }
    }

    async fn call(&self, operation: Operation, body: Bytes) -> Result<Fields, CallError> {
        let long = matches!(operation, Operation::Create | Operation::Mount);
        let value = self.client.call(operation, body, Some(if long { LONG } else { SHORT })).await?;
        let mut fields = Fields::of(value, &format!("drivers.volumeDriverProxy{operation:?}Response"))
            .map_err(CallError::Refused)?;
        match fields.text("Err").map_err(CallError::Refused)? {
            refusal if refusal.is_empty() => Ok(fields),
            refusal => Err(CallError::Refused(refusal)),
        }
    }

    pub(super) async fn create(&self, name: &str, options: &Options) -> Result<(), CallError> {
        let options = Some(options).filter(|options| !options.is_empty());
        self.call(Operation::Create, go_json(&Creation { name, options })).await?;
        Ok(())
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), CallError> {
        self.call(Operation::Remove, go_json(&NamedRequest { name })).await?;
        Ok(())
    }

    pub(super) async fn mount(&self, name: &str, id: &str) -> Result<String, CallError> {
        let body = go_json(&Mounting { name, id });
        let mut fields = self.call(Operation::Mount, body).await?;
        fields.text("Mountpoint").map_err(CallError::Refused)
    }

    pub(super) async fn unmount(&self, name: &str, id: &str) -> Result<(), CallError> {
        self.call(Operation::Unmount, go_json(&Mounting { name, id })).await?;
        Ok(())
    }

    pub(super) async fn get(&self, name: &str) -> Result<Described, CallError> {
        let body = go_json(&NamedRequest { name });
        let mut fields = self.call(Operation::Get, body).await?;
        let volume = fields.object("Volume", "drivers.proxyVolume").map_err(CallError::Refused)?;
        let volume = volume.ok_or_else(|| CallError::Refused("no such volume".into()))?;
        describe(volume).map_err(CallError::Refused)
    }

    /// All volumes. A `null` among them is more than a `dockerd` survives.
    pub(super) async fn list(&self) -> Result<Vec<Described>, CallError> {
        let mut fields = self.call(Operation::List, Bytes::from_static(b"{}\n")).await?;
        let items = fields.list("Volumes", "[]*drivers.proxyVolume").map_err(CallError::Refused)?;
        let fatal = items.iter().any(Value::is_null);
        let described: Result<Vec<_>, _> = items
            .into_iter()
            .filter(|item| !item.is_null())
            .map(|item| Fields::of(item, "drivers.proxyVolume").and_then(describe))
            .collect();
        let described = described.map_err(CallError::Refused)?;
        if fatal { Err(CallError::Fatal) } else { Ok(described) }
    }

    pub(super) async fn scope(&self) -> Scope {
        let known = *self.scope.lock();
        if let Some(scope) = known {
            return scope;
        }
        let capabilities = self.call(Operation::Capabilities, Bytes::from_static(b"{}\n")).await;
        let scope = capabilities.and_then(|mut fields| {
            let capability =
                fields.object("Capabilities", "volume.Capability").map_err(CallError::Refused)?;
            capability.map_or(Ok(String::new()), |mut capability| {
                capability.text("Scope").map_err(CallError::Refused)
            })
        });
        let Ok(scope) = scope else { return Scope::Local };
        let scope = if scope.eq_ignore_ascii_case("global") { Scope::Global } else { Scope::Local };
        *self.scope.lock() = Some(scope);
        scope
    }
}

fn describe(mut volume: Fields) -> Result<Described, String> {
    Ok(Described {
        name: volume.text("Name")?,
        mountpoint: volume.text("Mountpoint")?,
        created: volume.time("CreatedAt")?,
        status: volume.object("Status", "map[string]interface {}")?.map(Fields::into_value),
    })
}
