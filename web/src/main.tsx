// Where the page begins.

import { render } from "solid-js/web";
import { applyTheme } from "./state/settings";
import { App } from "./ui/App";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/room.css";
import "./styles/media.css";
import "./styles/panels.css";

applyTheme();
const place = document.getElementById("rookery");
place?.replaceChildren();
if (place) render(() => <App />, place);
