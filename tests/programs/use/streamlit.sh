. "${0%/*}/served.bash"
printf 'import streamlit as st, pandas as pd\nst.write(pd.DataFrame({"a": [1]}))\n' > app.py
served http://127.0.0.1:18610/ "$P" run app.py --server.port 18610 --server.headless true --browser.gatherUsageStats false
grep '<title>Streamlit' answer
