//! Small scenarios for tests that play them.

/// It holds.
pub const HELD: &str = r#"
title = "A volume is made"
description = "That it is there."

[[step]]
say = "Look."
docker = "docker volume create -d {driver} mine"
calls = ["get mine", "create mine"]
"#;

/// It has made a volume, a container and a rule when it begins to wait.
pub const WAITS: &str = r#"
title = "It waits"
description = "Nothing."

[[step]]
docker = "docker run -d --name mine-box -v mine:/data --volume-driver {driver} busybox top"

[[step]]
command = "arm unmount: hang"

[[step]]
sleep = "100h"
"#;
