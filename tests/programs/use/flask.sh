. "${0%/*}/served.bash"
cat > app.py <<'Q'
from flask import Flask, render_template
app = Flask(__name__)
@app.get("/")
def index(): return render_template("i.html", n=7)
@app.cli.command("hello")
def hello(): print("hello from cli")
Q
mkdir templates; echo '<b>{{ n }}</b>' > templates/i.html
served http://127.0.0.1:18607/ "$P" --app app run -p 18607; grep -q '<b>7</b>' answer
served http://127.0.0.1:18608/ "$P" --app app run -p 18608 --debug; grep -q '<b>7</b>' answer; grep 'Restarting with stat' log
"$P" --app app hello | grep 'hello from cli'
