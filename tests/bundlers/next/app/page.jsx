"use client";

import { load } from "puna";
import { useEffect, useState } from "react";
import { said } from "../../show.js";

export default function Page() {
  const [answer, setAnswer] = useState("");
  useEffect(() => {
    said(load).then(setAnswer);
  }, []);
  return <output>{answer}</output>;
}
