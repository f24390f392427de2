import express from "express";
import path from "path";
import { all, target } from "./links";

const app = express();

app.use(express.static(path.join(process.cwd(), "public")));

app.get("/links", (_request, response) => {
  response.json(all());
});

app.get("/go/:name", (request, response) => {
  const found = target(request.params.name);
  if (found) {
    response.json({ target: found });
  } else {
    response.status(404).json({ error: "no such link" });
  }
});

const port = Number(process.env.PORT ?? 3000);
const server = app.listen(port, () => console.log(`listening on ${port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
