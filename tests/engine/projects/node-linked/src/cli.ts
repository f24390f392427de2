const express = require("express")
const path = require("path")
const goods = require(path.join(__dirname, "..", "data", "goods.json"))

const app = express()
app.get("/", (_: any, answer: any) => answer.json(goods))
app.listen(3000)
process.on("SIGTERM", () => process.exit(0))
