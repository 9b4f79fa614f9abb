// Where the operators' page begins.

import { render } from "solid-js/web";
import { applyTheme } from "../state/settings";
import "../styles/base.css";
import { App } from "./App";
import "./admin.css";

applyTheme();
const place = document.getElementById("rookery");
if (place) render(() => <App />, place);
