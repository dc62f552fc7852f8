import { load } from "puna";
import { show } from "../show.js";

show(document.querySelector("output"), load);
