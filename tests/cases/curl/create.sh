curl -s -X POST -H "Authorization: Bearer $ACCESS_TOKEN" -H "Content-Type: application/json" \
  -d '{"name":"Reportei Customer 3"}' \
  https://connect.reportei.com/customers
